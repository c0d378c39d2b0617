//! What is read of how images are run and what they are made of.

use super::*;

fn layers(reading: &Reading) -> Vec<Layer> {
    serde_json::from_str(&reading.parts.layers).unwrap()
}

fn run(reading: &Reading) -> Run {
    serde_json::from_str(&reading.parts.run).unwrap()
}

#[test]
fn an_image_says_how_it_is_run() {
    let view = image(CONFIG, &[], &json!({}));
    let config = json!({
        "config": {
            "User": "1000:1000",
            "Env": ["PATH=/bin", "A=b"],
            "Entrypoint": ["/app"],
            "Cmd": ["--serve"],
            "WorkingDir": "/srv",
            "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
            "Volumes": {"/data": {}},
            "StopSignal": "SIGINT",
            "Labels": {"a": "b"},
        },
    });
    let reading = read(&view, 1, Ok(Some(config.to_string().as_bytes())));
    let words = |list: &[&str]| list.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
    let expected = Run {
        user: "1000:1000".to_owned(),
        env: words(&["PATH=/bin", "A=b"]),
        entrypoint: words(&["/app"]),
        cmd: words(&["--serve"]),
        working_dir: "/srv".to_owned(),
        exposed_ports: words(&["53/udp", "8080/tcp"]),
        volumes: words(&["/data"]),
        stop_signal: "SIGINT".to_owned(),
    };
    assert_eq!(run(&reading), expected);
    assert_eq!(about(&reading).labels["a"], "b");
}

#[test]
fn what_of_it_is_not_as_usual_takes_nothing_else_away() {
    let view = image(CONFIG, &[], &json!({}));
    let config = json!({"config": {
        "User": 7, "Env": null, "Entrypoint": "/bin/sh", "Cmd": [1, "x"], "Volumes": [], "Labels": {"a": "b"},
    }});
    let reading = read(&view, 1, Ok(Some(config.to_string().as_bytes())));
    let found = run(&reading);
    assert_eq!(reading.known.flaw, "");
    assert_eq!(found.entrypoint, ["/bin/sh"]);
    assert_eq!(found.cmd, ["x"]);
    assert_eq!((found.user.as_str(), found.env.len()), ("", 0));
    assert_eq!(about(&reading).labels["a"], "b");
}

#[test]
fn each_layer_has_the_step_that_made_it_where_the_history_fits() {
    let mut first = descriptor(LAYER, "a", 10);
    first["annotations"] = json!({"x": "y"});
    let both = [first, descriptor(LAYER, "b", 20)];
    let view = image(CONFIG, &both, &json!({}));
    let history = |steps: Value| json!({ "history": steps }).to_string();
    let steps = |config: String| {
        let reading = read(&view, 1, Ok(Some(config.as_bytes())));
        let found = layers(&reading);
        assert_eq!((found[0].size, found[1].size), (10, 20));
        assert_eq!(found[0].annotations["x"], "y");
        assert_eq!(found[1].media_type, LAYER);
        assert_eq!(
            found[0].digest,
            Digest::of(Algorithm::Sha256, b"a").to_string()
        );
        found.into_iter().map(|it| it.step).collect::<Vec<_>>()
    };
    let made = json!([{"created_by": "FROM"}, {"empty_layer": true}, {"created_by": "COPY"}]);
    assert_eq!(steps(history(made)), [Some(0), Some(2)]);
    let more = json!([{"created_by": "FROM"}, {}, {}]);
    assert_eq!(steps(history(more)), [None, None]);
    assert_eq!(steps("{}".to_owned()), [None, None]);
}

#[test]
fn the_size_when_unpacked_is_known_where_each_layer_says_it_and_guessed_nowhere() {
    let plain = descriptor("application/vnd.oci.image.layer.v1.tar", "a", 100);
    let packed = descriptor(LAYER, "b", 30);
    let mut lazy = descriptor(LAYER, "c", 30);
    lazy["annotations"] = json!({"io.containers.estargz.uncompressed-size": "77"});
    let mut odd = descriptor(LAYER, "d", 30);
    odd["annotations"] = json!({"io.containers.estargz.uncompressed-size": "many"});
    for (list, unpacked) in [
        (vec![], Some(0)),
        (vec![plain.clone()], Some(100)),
        (vec![plain.clone(), lazy], Some(177)),
        (vec![plain.clone(), packed], None),
        (vec![plain, odd], None),
    ] {
        let view = image(CONFIG, &list, &json!({}));
        assert_eq!(
            read(&view, 1, Ok(None)).parts.unpacked,
            unpacked,
            "{list:?}"
        );
    }
}

#[test]
fn whatever_is_written_into_them_parts_are_bounded() {
    let long = "é".repeat(3_000);
    let list: Vec<Value> = (0..150)
        .map(|at| {
            let mut layer = descriptor(LAYER, &at.to_string(), 1);
            layer["annotations"] = json!({"a": long, "b": long});
            layer
        })
        .collect();
    let view = image(CONFIG, &list, &json!({}));
    let config = json!({"config": {
        "Env": vec![long.clone(); 60], "Cmd": vec![long.clone(); 60], "User": long,
    }});
    let parts = read(&view, 1, Ok(Some(config.to_string().as_bytes()))).parts;
    for json in [&parts.run, &parts.layers] {
        assert!(json.len() <= 64 << 10, "{}", json.len());
        assert!(serde_json::from_str::<Value>(json).is_ok());
    }
}
